// A sender of HL7 v2 by npm simple-hl7: port and messages in, fields of each answer out.
const hl7 = require("simple-hl7");

let text = "";
process.stdin.on("data", (part) => (text += part));
process.stdin.on("end", async () => {
  const { port, messages } = JSON.parse(text);
  const parser = new hl7.Parser();
  const client = hl7.Server.createTcpClient({ host: "127.0.0.1", port, keepalive: true });
  const answers = [];
  for (const message of messages) {
    const answer = await new Promise((resolve, reject) => {
      client.send(parser.parse(message), (error, ack) => (error ? reject(error) : resolve(ack)));
    });
    const [msa] = answer.getSegments("MSA");
    answers.push({ code: String(msa.getField(1)), control_id: String(msa.getField(2)) });
  }
  process.stdout.write(JSON.stringify(answers), () => process.exit(0));
});

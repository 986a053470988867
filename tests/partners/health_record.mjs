// A health record by oidc-provider: sign-in by OpenID Connect, a launch with a patient, one Patient.
// Reads as its argument {port, client, patient}; prints the base of its FHIR addresses.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const { port, client, patient } = JSON.parse(process.argv[2]);
const origin = `http://127.0.0.1:${port}`;
const SCOPE = "openid fhirUser launch patient/Patient.r";

const provider = new Provider(origin, {
  clients: [client],
  scopes: SCOPE.split(" "),
  claims: { openid: ["sub"], fhirUser: ["fhirUser"] },
  conformIdTokenClaims: false,
  extraParams: ["aud", "launch"],
  pkce: { required: () => true },
  clientAuthMethods: ["client_secret_basic", "private_key_jwt"],
  enabledJWA: { clientAuthSigningAlgValues: ["ES384"] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, fhirUser: `${origin}/fhir/Practitioner/7` }),
  }),
  loadExistingGrant: async ({ oidc }) => {
    const grant = new oidc.provider.Grant({
      clientId: oidc.client.clientId,
      accountId: oidc.session.accountId,
    });
    grant.addOIDCScope(SCOPE);
    await grant.save();
    return grant;
  },
});
provider.on("grant.success", (context) => {
  context.body.patient = patient.id;
  context.body.need_patient_banner = true;
});

const configuration = {
  issuer: origin,
  authorization_endpoint: `${origin}/auth`,
  token_endpoint: `${origin}/token`,
  jwks_uri: `${origin}/jwks`,
  code_challenge_methods_supported: ["S256"],
};

async function resource(path, authorization = "") {
  if (path === "/fhir/.well-known/smart-configuration") return configuration;
  const token = await provider.AccessToken.find(authorization.replace("Bearer ", ""));
  return token && path === `/fhir/Patient/${patient.id}` ? patient : null;
}

createServer(async (request, response) => {
  const { pathname } = new URL(request.url, origin);
  if (pathname.startsWith("/interaction/")) {
    await provider.interactionFinished(request, response, { login: { accountId: "jo" } });
  } else if (pathname.startsWith("/fhir/")) {
    const found = await resource(pathname, request.headers.authorization);
    response.writeHead(found ? 200 : 401, { "Content-Type": "application/fhir+json" });
    response.end(JSON.stringify(found ?? {}));
  } else {
    provider.callback()(request, response);
  }
}).listen(port, "127.0.0.1", () => console.log(`${origin}/fhir`));

// A provider for the judge. usage: node provider.mjs ISSUER BASE_URL ALGORITHM
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [issuer, base, algorithm] = process.argv.slice(2);
const pair = algorithm === 'ES256'
  ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
  : generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...pair.privateKey.export({ format: 'jwk' }), kid: 'judge', use: 'sig', alg: algorithm };

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'greenbar',
    client_secret: 'judge-secret',
    redirect_uris: [`${base}/oidc/callback`],
    id_token_signed_response_alg: algorithm,
  }],
  jwks: { keys: [key] },
  cookies: { keys: ['judge'] },
  pkce: { required: () => true },
  claims: { openid: ['sub'], profile: ['preferred_username'] },
  // The name is wanted in the identity token itself.
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: `subject-of-${id}`, preferred_username: id }) }),
});
provider.listen(Number(new URL(issuer).port), '127.0.0.1');

// A provider for the judge. usage: node provider.mjs ISSUER BASE_URL ALGORITHM
//
// GET /twist?to=WHAT makes the next identity token a wrong one in that respect, signed with the provider's own key like the right
// one: nonce, audience, azp, expired, issuer, future, none (unsigned), key (signed by somebody else), payload (changed after signing).
import { generateKeyPairSync } from 'node:crypto';
import { SignJWT, decodeJwt } from 'jose';
import Provider from 'oidc-provider';

const [issuer, base, algorithm] = process.argv.slice(2);
const pair = algorithm === 'ES256'
  ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
  : generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = algorithm === 'ES256'
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
let twist = '';
const coded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function twisted(token, what) {
  const claims = decodeJwt(token);
  const now = Math.floor(Date.now() / 1000);
  const changes = {
    nonce: { nonce: 'another' }, audience: { aud: 'other' }, azp: { aud: ['greenbar', 'other'], azp: 'other' },
    expired: { iat: now - 7200, exp: now - 3600 }, issuer: { iss: 'https://evil.example' }, future: { iat: now + 7200 },
  };
  const [head, , signature] = token.split('.');
  if (what === 'none') return `${coded({ alg: 'none' })}.${coded(claims)}.`;
  if (what === 'payload') return `${head}.${coded({ ...claims, preferred_username: 'root' })}.${signature}`;
  const signer = what === 'key' ? stranger : pair;
  return new SignJWT({ ...claims, ...changes[what] }).setProtectedHeader({ alg: algorithm, kid: 'judge' }).sign(signer.privateKey);
}

provider.use(async (ctx, next) => {
  if (ctx.path === '/twist') {
    twist = ctx.query.to ?? '';
    ctx.body = 'done';
    return;
  }
  await next();
  if (ctx.path === '/token' && twist && ctx.body?.id_token) {
    ctx.body = { ...ctx.body, id_token: await twisted(ctx.body.id_token, twist) };
    twist = '';
  }
});
provider.listen(Number(new URL(issuer).port), '127.0.0.1');

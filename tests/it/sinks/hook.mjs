// The public libraries of npm check what the receiver of webhooks took (`hook.py`): signature, and each event. Prints one line an event.
// usage: node hook.mjs SECRET FILE, in a folder with standardwebhooks and cloudevents
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const need = createRequire(process.cwd() + "/");
const { Webhook } = need("standardwebhooks");
const { HTTP } = need("cloudevents");
const [secret, file] = process.argv.slice(2);

for (const line of readFileSync(file, "utf8").trim().split("\n")) {
  const { headers, body } = JSON.parse(line);
  const judge = new Webhook(secret);
  judge.verify(body, headers);
  let forged = false;
  try {
    judge.verify(body + " ", headers);
    forged = true;
  } catch {}
  if (forged) throw new Error("a changed body was taken");
  const event = HTTP.toEvent({ headers, body });
  event.validate();
  if (event.id !== headers["webhook-id"]) throw new Error(`${event.id} is not ${headers["webhook-id"]}`);
  console.log(JSON.stringify({ id: event.id, type: event.type, data: event.data }));
}

// A seller's program on npm's alipay-sdk. Each line in: {"call": …, …}; each line out: its answer.
const { join } = require('path');
const { AlipaySdk } = require(join(process.argv[2], 'alipay-sdk'));
const readline = require('readline');
let sdk;
const calls = {
  open: ({ config }) => { sdk = new AlipaySdk(config); return {}; },
  exec: ({ method, bizContent, notifyUrl }) =>
    sdk.exec(method, notifyUrl ? { bizContent, notifyUrl } : { bizContent }, { validateSign: true }),
  notify: ({ form }) => ({ holds: sdk.checkNotifySignV2(form), holds1: sdk.checkNotifySign(form) }),
};
const lines = readline.createInterface({ input: process.stdin });
let last = Promise.resolve();
lines.on('line', (line) => {
  last = last.then(async () => {
    const asked = JSON.parse(line);
    let said;
    try { said = await calls[asked.call](asked); } catch (error) { said = { error: String(error.stack) }; }
    process.stdout.write(JSON.stringify(said) + '\n');
  });
});

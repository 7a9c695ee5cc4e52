// Reads a bill with npm's wechatpay-axios-plugin. In: the bill's bytes. Out: what it makes of them.
const { join } = require('path');
const Formatter = require(join(process.argv[2], 'lib', 'formatter.js'));
const bill = require('fs').readFileSync(0);
process.stdout.write(JSON.stringify(Formatter.castCsvBill(bill)));

// Prints a receipt with npm's node-thermal-printer over TCP and waits for what the printer answers
// to GS r behind it. argv: the library's folder, the address. Out: was it there, and its answer.
const [library, address] = process.argv.slice(2);
const { printer: Printer, types } = require(library);
const { PNG } = require(`${library}/../pngjs`);

function blackPicture (width, height) {
  const picture = new PNG({ width, height });
  for (let at = 0; at < picture.data.length; at += 4) picture.data[at + 3] = 255;
  return PNG.sync.write(picture);
}

async function main () {
  const printer = new Printer({
    type: types.EPSON,
    interface: `tcp://${address}`,
    characterSet: 'CHINA',
    options: { timeout: 5000 },
  });
  const isConnected = await printer.isPrinterConnected();
  printer.alignCenter();
  printer.bold(true);
  printer.setTextSize(1, 1);
  printer.println('收银小票');
  printer.setTextNormal();
  printer.bold(false);
  printer.alignLeft();
  printer.leftRight('Cola 2x', '7.00');
  printer.drawLine();
  printer.printQR('pay_1', { cellSize: 6, correction: 'M' });
  printer.newLine();
  printer.code128('TILL-7', { height: 60, width: 2 });
  printer.newLine();
  printer.printBarcode('690123456789', 67, { height: 60 });
  await printer.printImageBuffer(blackPicture(24, 16));
  printer.beep(2, 3);
  printer.openCashDrawer();
  printer.cut();
  printer.getStatus();
  const answer = await printer.execute({ waitForResponse: true });
  process.stdout.write(JSON.stringify({ isConnected, answer: [...answer] }));
}

main().catch((error) => { console.error(error); process.exit(1); });

// options.mjs - what one of these tools is told on its command line: numbers are numbers, and what makes no sense is said in words.
import { parseArgs } from 'node:util';

const problemOf = (error) => error.message.split(/\.\s/)[0].replace(/^./, (first) => first.toLowerCase());

function numberOf(name, text, { least = 0, whole = false }) {
  const number = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || number < least || (whole && !Number.isSafeInteger(number)))
    throw new Error(`--${name} wants a ${whole ? 'whole ' : ''}number${least > 0 ? ` from ${least} on` : ''}, not "${text}"`);
  return number;
}

/** Says what is wrong, where to read more, and ends with 2. */
export function refuse(tool, problem) {
  console.error(`${tool}: ${problem} (./dev ${tool} --help)`);
  process.exit(2);
}

/** What ./dev TOOL was told: { values, positionals }. spec is as parseArgs() has it, with one type more: { type: 'number', default, least,
 *  whole }. `--help` prints help and ends with 0; an option that is unknown, or has a value that it cannot have, ends with 2. */
export function readOptions(tool, help, spec, allowPositionals = false) {
  const options = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { type, ...one }] of Object.entries(spec))
    options[name] = { type: type === 'number' ? 'string' : type, ...(one.default === undefined ? {} : { default: type === 'number' ? String(one.default) : one.default }) };
  try {
    const { values, positionals } = parseArgs({ allowPositionals, options });
    if (values.help) {
      console.log(help.trimEnd());
      process.exit(0);
    }
    for (const [name, one] of Object.entries(spec))
      if (one.type === 'number' && values[name] !== undefined) values[name] = numberOf(name, values[name], one);
    return { values, positionals };
  } catch (error) {
    return refuse(tool, problemOf(error));
  }
}

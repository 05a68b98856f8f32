/** Build: src/*.ts → collector/snippet/, with sizes, fingerprints and a budget that fails the build.
 *
 *   node build.mjs            farside.js, farside.core.js, loader.js, manifest.json; and dist/ for npm
 *   node build.mjs --cost     also what each feature of farside.js costs: gzip with it left out
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, '..', 'collector', 'snippet');
const { version } = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));

/** Entry, the most it may weigh (gzip), and what is defined differently. */
const FILES = {
  'farside.js': ['index.ts', 10_150],
  'farside.core.js': ['core.ts', 5_950, { FULL: 'false' }],
  'loader.js': ['loader.ts', 600],
};

const common = {
  bundle: true,
  minify: true,
  target: 'es2022',
  // What starts with an underscore is ours (and web-vitals' own): the naming rule is the size rule.
  mangleProps: /^_/,
  legalComments: 'none',
  define: { __VERSION__: JSON.stringify(version), FULL: 'true' },
  logLevel: 'warning',
  absWorkingDir: here,
};

/** Short names in the order they are given out, the same for properties and variables: gzip likes what comes again. */
const LETTERS = 'etraniosldcuTSELCMRApfmhgvbywxkBDFGHIJKNOPQUVWXYZ$_';

/** The nth short name: one letter, then two. */
const nth = (n) => LETTERS[n % LETTERS.length] + (n < LETTERS.length ? '' : nth(Math.floor(n / LETTERS.length) - 1));

/** One letter for each property that starts with an underscore. Things of different kinds share letters, which gzip
 * likes: two names differ where one interface (or type of an object) holds both, and a name that none declares is
 * unlike all others. */
const letters = async () => {
  const files = (await readdir(join(here, 'src'))).filter((file) => file.endsWith('.ts'));
  const source = (await Promise.all(files.map((file) => readFile(join(here, 'src', file), 'utf8')))).join('\n');
  const namesIn = (text) => text.match(/(?<![\w$])_[a-zA-Z]+/g) || [];
  const uses = {};
  for (const name of namesIn(source)) uses[name] = (uses[name] || 0) + 1;
  const kinds = [...source.matchAll(/^(?:export )?interface \w+ \{\n.*?^\}/gms), ...source.matchAll(/(?::|as) \{[^{}=]*\}/g)];
  const together = kinds.map(([text]) => new Set(namesIn(text)));
  const declared = (name) => together.some((names) => names.has(name));
  const given = {};
  for (const name of Object.keys(uses).sort((a, b) => uses[b] - uses[a] || (a < b ? -1 : 1))) {
    const rivals = Object.keys(given).filter(
      (other) => !declared(name) || !declared(other) || together.some((names) => names.has(name) && names.has(other)),
    );
    const taken = rivals.map((other) => given[other]);
    given[name] = [...'etrnaiosldcuTSELCMRApfmhgvbywxkBDFGHIJKNOPQUVWXYZ$_'].find((letter) => !taken.includes(letter));
  }
  return given;
};
const mangleCache = await letters();

const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** The text of one bundle; `source` stands in for the entry file when it is given. */
const bundle = async (entry, { define, source, ...more } = {}) => {
  const input = source
    ? { stdin: { contents: source, resolveDir: join(here, 'src'), loader: 'ts' } }
    : { entryPoints: [join('src', entry)] };
  const { outputFiles } = await build({
    ...common,
    mangleCache: { ...mangleCache },
    format: 'iife',
    define: { ...common.define, ...define },
    ...input,
    ...more,
    write: false,
  });
  // A second pass: terser folds what esbuild leaves alone, another 4 %.
  const { code } = await minify(outputFiles[0].text, {
    ecma: 2020,
    toplevel: true,
    // Nothing of ours needs "use strict", so a script may do without as a module does.
    module: true,
    compress: { passes: 3, inline: 1, pure_getters: true, booleans_as_integers: true },
    mangle: { nth_identifier: { get: nth } },
    format: { comments: false, quote_style: 2 },
  });
  return Buffer.from(code);
};

/** All or nothing of a file: a collector that starts meanwhile reads the old one or the new one. */
const put = async (file, content) => {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
};

const write = async () => {
  await mkdir(out, { recursive: true });
  const manifest = {};
  const tooLarge = [];
  for (const [name, [entry, most, define]] of Object.entries(FILES)) {
    const bytes = await bundle(entry, { define });
    const weight = gzip(bytes);
    await put(join(out, name), bytes);
    manifest[name] = {
      bytes: bytes.length,
      gzip: weight,
      sha384: 'sha384-' + createHash('sha384').update(bytes).digest('base64'),
      hash: createHash('sha256').update(bytes).digest('hex').slice(0, 12),
    };
    console.log(`${name.padEnd(16)} ${bytes.length} bytes, ${weight} gzip (at most ${most})`);
    if (weight > most) tooLarge.push(`${name} is ${weight} bytes gzip, over its limit of ${most}: take something out.`);
  }
  await put(join(out, 'manifest.json'), JSON.stringify(manifest, null, 2) + '\n');
  await mkdir(join(here, 'dist'), { recursive: true });
  await writeFile(join(here, 'dist', 'farside.mjs'), await bundle('npm.ts', { format: 'esm' }));
  await cp(join(here, 'npm.d.ts'), join(here, 'dist', 'npm.d.ts'));
  return tooLarge;
};

/** What each feature costs: the whole without it. Features are the names in features.ts. */
const cost = async () => {
  const source = await readFile(join(here, 'src', 'features.ts'), 'utf8');
  const [, table] = /features = \[([^\]]*)\]/.exec(source);
  const entry = (text) => `import { install } from './api';\n${text}\ninstall(features);`;
  const whole = gzip(await bundle('', { source: entry(source) }));
  let rest = whole;
  const say = (what, bytes) => console.log(`  ${what.padEnd(14)} ${bytes} bytes gzip`);
  console.log(`farside.js without one feature is smaller by`);
  for (const line of table.split('\n').filter((text) => text.trim())) {
    const cost = whole - gzip(await bundle('', { source: entry(source.replace(line + '\n', '')) }));
    say(line.trim().slice(0, -1), cost);
    rest -= cost;
  }
  say('all the rest', rest);
};

const tooLarge = await write();
if (process.argv.includes('--cost')) await cost();
for (const sentence of tooLarge) console.error(sentence);
process.exitCode = tooLarge.length ? 1 : 0;

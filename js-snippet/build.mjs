/** Build: src/*.ts → collector/snippet/, with sizes, fingerprints and a budget that fails the build.
 *
 *   node build.mjs            farside.js, farside.core.js, loader.js, manifest.json; and dist/ for npm
 *   node build.mjs --cost     also what each feature of farside.js costs: gzip with it left out
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, '..', 'collector', 'snippet');
const { version } = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));

/** Entry, and the most it may weigh, gzip. */
const FILES = {
  'farside.js': ['index.ts', 13_000],
  'farside.core.js': ['core.ts', 11_264],
  'loader.js': ['loader.ts', 600],
};

const common = {
  bundle: true,
  minify: true,
  target: 'es2022',
  // What starts with an underscore is ours (and web-vitals' own): the naming rule is the size rule.
  mangleProps: /^_/,
  legalComments: 'none',
  define: { __VERSION__: JSON.stringify(version) },
  logLevel: 'warning',
  absWorkingDir: here,
};

const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** The text of one bundle; `source` stands in for the entry file when it is given. */
const bundle = async (entry, { source, ...more } = {}) => {
  const input = source
    ? { stdin: { contents: source, resolveDir: join(here, 'src'), loader: 'ts' } }
    : { entryPoints: [join('src', entry)] };
  const { outputFiles } = await build({ ...common, format: 'iife', ...input, ...more, write: false });
  return Buffer.from(outputFiles[0].contents);
};

const write = async () => {
  await mkdir(out, { recursive: true });
  const manifest = {};
  const tooLarge = [];
  for (const [name, [entry, most]] of Object.entries(FILES)) {
    const bytes = await bundle(entry);
    const weight = gzip(bytes);
    await writeFile(join(out, name), bytes);
    manifest[name] = {
      bytes: bytes.length,
      gzip: weight,
      sha384: 'sha384-' + createHash('sha384').update(bytes).digest('base64'),
      hash: createHash('sha256').update(bytes).digest('hex').slice(0, 12),
    };
    console.log(`${name.padEnd(16)} ${bytes.length} bytes, ${weight} gzip (at most ${most})`);
    if (weight > most) tooLarge.push(`${name} is ${weight} bytes gzip, over its limit of ${most}: take something out.`);
  }
  await writeFile(join(out, 'manifest.json'), JSON.stringify(manifest, null, 2) + '\n');
  await mkdir(join(here, 'dist'), { recursive: true });
  await writeFile(join(here, 'dist', 'farside.mjs'), await bundle('npm.ts', { format: 'esm' }));
  await cp(join(here, 'npm.d.ts'), join(here, 'dist', 'npm.d.ts'));
  return tooLarge;
};

/** What each feature costs: the whole without it. Features are the names that index.ts installs. */
const cost = async () => {
  const source = await readFile(join(here, 'src', 'index.ts'), 'utf8');
  const [, names] = /install\(\[([^\]]*)\]/.exec(source);
  const features = names.split(',').map((name) => name.trim()).filter(Boolean);
  const whole = gzip(await bundle('index.ts'));
  for (const feature of features) {
    const without = source.replace(new RegExp(`\\b${feature}\\b,?(?=[^;]*\\]\\))`), '');
    console.log(`${feature.padEnd(12)} ${whole - gzip(await bundle('', { source: without }))} bytes gzip`);
  }
};

const tooLarge = await write();
if (process.argv.includes('--cost')) await cost();
for (const sentence of tooLarge) console.error(sentence);
process.exitCode = tooLarge.length ? 1 : 0;

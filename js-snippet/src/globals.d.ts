/** What build.mjs puts in by name. */
declare const __VERSION__: string;
/** False in farside.core.js: what only the whole snippet does is left out there. */
declare const FULL: boolean;

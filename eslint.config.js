import js from "@eslint/js";
import globals from "globals";

// Names of runs, entities and states are data: nothing may read them as HTML.
const MARKUP = ["innerHTML", "outerHTML", "insertAdjacentHTML", "srcdoc"];

export default [
  { ignores: ["**/.venv/", "build/", "dist/"] },
  js.configs.recommended,
  {
    files: ["tbtrace/board/static/**/*.js"],
    languageOptions: { globals: globals.browser },
    rules: {
      "max-lines": ["error", 300],
      "no-restricted-properties": ["error", ...MARKUP.map((property) => ({ property }))],
    },
  },
  { files: ["tests/board/web/**/*.js"], languageOptions: { globals: globals.nodeBuiltin } },
  {
    rules: {
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "no-console": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];

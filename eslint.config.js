import js from "@eslint/js";
import globals from "globals";

export default [
  { files: ["components/ui/assets/**/*.js"] },
  { ignores: ["components/ui/assets/lab-features.js", ".venv/**", "tests/**"] }, // compiled by Gradio as the body of a function
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    rules: { eqeqeq: ["error", "always", { null: "ignore" }], "no-var": "error", "prefer-const": "error" },
  },
];

import tseslint from 'typescript-eslint';

/** Rooms that must bundle for a browser: no `node:` module, no Node global that a browser lacks. */
const portable = [
  'src/{gpu,kernels,model,checkpoint,quantization,tokenizer,cache,grammar,engine,roofline,traffic,simulator}/**/*.ts',
  'src/*.ts',
];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'models/**', 'coverage/**'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['eslint.config.mjs'] } },
    },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      eqeqeq: 'error',
    },
  },
  {
    files: portable,
    rules: {
      'no-restricted-imports': ['error', { patterns: ['node:*', 'fs', 'path', 'os', 'child_process'] }],
      'no-restricted-globals': ['error', 'process', 'Buffer', '__dirname', 'require'],
    },
  },
  {
    files: ['src/cli/**/*.ts', 'src/platform/**/*.ts'],
    ignores: ['src/cli/output.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.property.name='write'][callee.object.object.name='process']",
          message: 'Print by src/cli/output.ts, which keeps control characters and secrets from the terminal.',
        },
      ],
      'no-console': 'error',
    },
  },
  { files: ['**/*.mjs', '**/*.js'], ...tseslint.configs.disableTypeChecked },
);

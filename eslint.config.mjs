import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';
import { portable, zones } from './scripts/lint/rooms.mjs';

/** Private members are those of JavaScript: no cast reaches them. Only a constructor cannot be one. */
const privateMembers = {
  selector:
    ':matches(PropertyDefinition, MethodDefinition[kind!="constructor"], TSParameterProperty)[accessibility="private"]',
  message: 'Write #name for a private member.',
};

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'models/**', 'coverage/**', 'src/gpu/shader-texts.js'] },
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
    files: portable.map((room) => (room.endsWith('.ts') ? room : `${room}/**/*.ts`)),
    rules: {
      'no-restricted-imports': ['error', { patterns: ['node:*', 'fs', 'path', 'os', 'child_process'] }],
      'no-restricted-globals': ['error', 'process', 'Buffer', '__dirname', 'require'],
    },
  },
  {
    files: ['src/**/*.ts', 'bench/**/*.ts'],
    plugins: { 'import-x': importX },
    settings: {
      'import-x/extensions': ['.ts'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver-next': [createNodeResolver({ extensionAlias: { '.js': ['.ts', '.js'] } })],
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones }],
    },
  },
  { files: ['src/**/*.ts'], rules: { 'max-lines': ['error', 300] } },
  { files: ['src/**/*.ts', 'bench/**/*.ts'], rules: { '@typescript-eslint/max-params': ['error', { max: 5 }] } },
  // Rows of a table: a cell more is read more easily than a name before each.
  { files: ['src/published/seeds/short-forms.ts'], rules: { '@typescript-eslint/max-params': 'off' } },
  { files: ['**/*.ts'], rules: { 'no-restricted-syntax': ['error', privateMembers] } },
  {
    files: ['src/cli/**/*.ts', 'src/platform/**/*.ts'],
    ignores: ['src/cli/terminal/output.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        privateMembers,
        {
          selector: "CallExpression[callee.property.name='write'][callee.object.object.name='process']",
          message: 'Print by src/cli/terminal/output.ts, which keeps control characters and secrets from the terminal.',
        },
      ],
      'no-console': 'error',
    },
  },
  { files: ['**/*.mjs', '**/*.js'], ...tseslint.configs.disableTypeChecked },
);

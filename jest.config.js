/** Native ESM; TypeScript is stripped by swc. See test/README.md. */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: '<rootDir>/test/support/native-addon-environment.js',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'es6' } },
    ],
  },
  // Two files at a time, also on two cores: they wait for processes they started a good deal, and servers of a test file use what there is.
  maxWorkers: 2,
  // Generous: a busy machine is no failure, and nothing here is timed.
  testTimeout: 300_000,
};

/** Imported before anything opens a driver: lavapipe's subgroups then have 16 lanes. */
process.env.LP_NATIVE_VECTOR_WIDTH = '512';

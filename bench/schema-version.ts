/** Of results; apart from their schema, so that who writes one need not load what checks them. */
export const SCHEMA_VERSION = 1;

/** Imported first, before any schema is made: schemas ask at once whether code may be made out of texts. */
import { config } from 'zod';

// Which the page's content security policy forbids, and reports as a violation.
config({ jitless: true });

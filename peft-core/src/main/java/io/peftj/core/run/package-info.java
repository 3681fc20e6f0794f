/** One computation over a batch: rows without padding, each with its own adapters, met at the sites of a backbone. */
package io.peftj.core.run;

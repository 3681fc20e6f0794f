/** Continuing token ids with a decoder: prompts and single tokens in one pass, keys and values kept in between, adapters by row. */
package io.peftj.djl.generate;

/** Edits of a prompt's hidden states in low-rank subspaces: LoReFT and its family (arXiv 2404.03592). */
package io.peftj.methods.reft;

/** P-tuning: vectors before a row's token embeddings that a learnt network makes (arXiv 2103.10385). */
package io.peftj.methods.ptuning;

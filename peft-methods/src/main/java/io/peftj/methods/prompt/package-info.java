/** Prompt tuning: learnt vectors before a row's token embeddings (arXiv 2104.08691). */
package io.peftj.methods.prompt;

/** Training adapters: examples, objectives, the optimiser step, the trainer. */
package io.peftj.djl.train;

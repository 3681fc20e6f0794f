/** (IA)3: learnt vectors that scale keys, values and the feed-forward network's inner state (arXiv 2205.05638). */
package io.peftj.methods.ia3;

/** PEDRO: vectors made of each prompt that scale queries, values and the feed-forward network's inner state (arXiv 2409.17834). */
package io.peftj.methods.pedro;

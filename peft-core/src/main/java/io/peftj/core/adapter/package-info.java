/** What an adapter is, what a method of making one must say, and how the rows of a batch meet theirs. */
package io.peftj.core.adapter;

/** Reading rows to train and to measure on from CSV and JSON lines. */
package io.peftj.djl.data;

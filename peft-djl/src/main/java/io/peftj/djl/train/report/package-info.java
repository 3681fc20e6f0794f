/** Reports of training runs, for people to look at. */
package io.peftj.djl.train.report;

/** The task's head alone over a frozen body: the baseline that every other method has to beat. */
package io.peftj.methods.head;

/** What implementors test with: gradients against finite differences, backends against the reference, faults at any place. */
package io.peftj.testkit;

/** Frozen transformers: how they are found, opened and run. One package a family. */
package io.peftj.djl.backbone;

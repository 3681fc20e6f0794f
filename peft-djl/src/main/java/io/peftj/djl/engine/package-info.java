/**
 * The operations' kernels on DJL's PyTorch engine.
 *
 * <p>{@link io.peftj.djl.engine.TorchBackend} is the way in. The arithmetic itself is TorchScript text in this package's resources, which is put
 * together at the start for the device and the processor, written as an archive, and called method by method through DJL's public classes.
 */
package io.peftj.djl.engine;

/**
 * Files: safetensors, strict JSON, Hugging Face model directories, adapter directories and the fingerprint of a base model.
 *
 * <p>Whatever is read may be damaged or hostile. A reader in this package ends in a value or in an
 * {@link io.peftj.core.InvalidFileException}; nothing here loads native code or a pickle.
 */
@NullMarked
package io.peftj.core.io;

import org.jspecify.annotations.NullMarked;

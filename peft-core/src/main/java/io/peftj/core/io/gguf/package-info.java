/** GGUF files, as llama.cpp writes and reads them: checked, dequantised, and given the names and settings of Hugging Face's models. */
package io.peftj.core.io.gguf;

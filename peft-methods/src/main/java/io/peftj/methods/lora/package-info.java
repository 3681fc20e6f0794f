/** LoRA: low-rank matrices added to frozen ones (arXiv 2106.09685). */
package io.peftj.methods.lora;

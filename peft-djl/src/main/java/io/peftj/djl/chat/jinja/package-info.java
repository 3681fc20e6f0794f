/**
 * The part of Jinja2 that chat templates are written in, with the settings Hugging Face's libraries use (trim_blocks, lstrip_blocks, loop controls).
 *
 * <p>Strict: what is not known is an error that names it. Templates come with models, from strangers, so nothing of Java is within their reach.
 */
package io.peftj.djl.chat.jinja;

package io.peftj.djl.chat.jinja;

/** What is wrong with a template, before it is known in which line. */
final class TemplateFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TemplateFault(String message) {
        super(message);
    }
}

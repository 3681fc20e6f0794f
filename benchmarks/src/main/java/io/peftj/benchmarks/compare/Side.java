package io.peftj.benchmarks.compare;

import java.util.Locale;

/** Who did the work that is compared. */
enum Side {
    /** The library, through its command line. */
    OURS("PEFT for the JVM"),

    /** Hugging Face's PEFT. */
    PEER("Hugging Face PEFT"),

    /** A training step of LoRA whose gradients are written by hand. */
    PROTOTYPE("hand-written step"),

    /** Our products with frozen matrices when nothing else is computed. */
    FLOOR("frozen products alone");

    private final String title;

    Side(String title) {
        this.title = title;
    }

    /** How it is called in tables and pictures. */
    String title() {
        return title;
    }

    /** How it is called in files. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}

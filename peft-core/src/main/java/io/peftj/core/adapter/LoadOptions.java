package io.peftj.core.adapter;

/**
 * How strictly an adapter must fit the model it is loaded for.
 *
 * @param lenient whether surplus parameters and another base are warnings, and the adapter, loaded for a base, records none from then on; a missing
 *     parameter or a wrong shape stays an error, since no value could stand in, and so does another tokenizer
 */
public record LoadOptions(boolean lenient) {
    /** Every difference is an error. */
    public static final LoadOptions STRICT = new LoadOptions(false);

    /** What can be done without is left out, with a warning. */
    public static final LoadOptions LENIENT = new LoadOptions(true);
}

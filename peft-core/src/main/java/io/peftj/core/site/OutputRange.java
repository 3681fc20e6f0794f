package io.peftj.core.site;

/**
 * Consecutive outputs of a site: all of them, or those of one role where a site makes several things at once.
 *
 * @param begin the first output
 * @param end the output after the last
 */
public record OutputRange(Site site, int begin, int end) {
    /** Checks the bounds. */
    public OutputRange {
        if (begin < 0 || begin >= end || end > site.out()) {
            throw new IllegalArgumentException("outputs " + begin + " to " + end + " of site " + site.name()
                    + ", which has " + site.out() + " outputs");
        }
    }

    /** All outputs of a site. */
    public static OutputRange all(Site site) {
        return new OutputRange(site, 0, site.out());
    }

    /** Number of outputs. */
    public int size() {
        return end - begin;
    }

    /** Whether these are all outputs of the site. */
    public boolean isAll() {
        return size() == site.out();
    }

    /** The site's name, with the range in Python's notation where it is a part: c_attn[0:768]. */
    @Override
    public String toString() {
        return isAll() ? site.name() : site.name() + "[" + begin + ":" + end + "]";
    }
}

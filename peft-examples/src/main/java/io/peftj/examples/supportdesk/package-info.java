/** The main job: an encoder learns to tell what a support desk's customers want, is saved, and is used in another process. */
package io.peftj.examples.supportdesk;

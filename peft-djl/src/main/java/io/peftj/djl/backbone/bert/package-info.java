/** The BERT family: post-norm encoders with learned positions. */
package io.peftj.djl.backbone.bert;

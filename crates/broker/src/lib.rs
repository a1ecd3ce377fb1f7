//! Knative Broker and Trigger semantics on one machine

"""What commands of every package share: values they take, and how a library's refusal becomes wrong usage."""

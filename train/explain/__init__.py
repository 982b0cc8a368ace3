"""Pictures of what a trained model looks at, for a person to judge; none of them is a proof."""

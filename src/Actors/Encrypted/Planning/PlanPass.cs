namespace ActorTrainer.Actors.Encrypted.Planning;

/// <summary>How often a part of a training step is done.</summary>
public enum PlanPass
{
    /// <summary>For each micro-batch.</summary>
    Forward,

    /// <summary>For each micro-batch.</summary>
    Backward,

    /// <summary>For each micro-batch but the first: its gradients are added to those before.</summary>
    Sum,

    /// <summary>Once: weights are spread, gradients packed, the optimiser steps.</summary>
    Step,
}

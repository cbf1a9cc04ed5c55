namespace ActorTrainer.Actors.Encrypted;

/// <summary>Who lifts ciphertexts to high levels again.</summary>
public enum RefreshKind
{
    /// <summary>The data owner, who has to be online.</summary>
    Owner,

    /// <summary>The stages, by bootstrapping: the owner may leave when everything is sent.</summary>
    Bootstrap,

    /// <summary>The stages, but for the optimiser's state, which the owner lifts without loss.</summary>
    Mixed,
}

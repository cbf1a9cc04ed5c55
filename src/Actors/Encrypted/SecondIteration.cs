namespace ActorTrainer.Actors.Encrypted;

/// <summary>What is bootstrapped twice, for precision: see <see cref="He.Refresh.TwiceRefresher"/>.</summary>
public enum SecondIteration
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The optimiser's weights, moments and packed gradients, whose errors stay.</summary>
    Optimiser,

    /// <summary>Everything.</summary>
    All,
}

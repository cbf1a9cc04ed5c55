namespace ActorTrainer.Actors.Encrypted.Planning;

/// <summary>
/// Where a program refreshes, by predicted cost. A refresh by the owner is cheap, so programs ask for one wherever something would else be multiplied higher up than it has to be. A bootstrapping takes as long
/// as many operations high up: so sites may reach levels above the one that is asked for (<see cref="He.Refresh.IRefresher.Reach"/>), and what comes after goes on until they are used up. This
/// is a descent site by site from where all reach equally far: along the way most sites need no refresh any more.
/// </summary>
internal static class RefreshPlacement
{
    /// <summary>Times that all sites are gone through; a third changes little.</summary>
    private const int Rounds = 2;

    /// <summary>Parts of all levels that a site may reach.</summary>
    private static readonly double[] Shares = [0, 0.4, 0.6, 0.8, 1];

    /// <summary>Levels to reach by site, without those that are taken as asked for.</summary>
    /// <param name="sites">In the order of the program.</param>
    /// <param name="highest">The level that a refresh can lift to.</param>
    /// <param name="cost">Predicted with such levels; infinite where the program cannot be run with them.</param>
    /// <param name="descend">Whether sites are gone through one by one; else all reach equally far.</param>
    public static IReadOnlyDictionary<string, int> Find(IReadOnlyList<string> sites, int highest, Func<IReadOnlyDictionary<string, int>, double> cost, bool descend = true)
    {
        int[] choices = [.. Shares.Select(share => (int)Math.Round(share * highest)).Distinct()];
        var (best, start) = choices.Select(choice => (Cost: cost(sites.ToDictionary(site => site, _ => choice)), Choice: choice)).MinBy(found => found.Cost);
        var reach = sites.ToDictionary(site => site, _ => start);
        for (var (round, better) = (0, descend); better && round < Rounds; round++)
        {
            better = false;
            foreach (var site in sites)
            {
                foreach (var choice in choices)
                {
                    var before = reach[site];
                    reach[site] = choice;
                    // Of two that cost the same the lower is taken: ciphertexts that the owner sends are smaller.
                    if (choice != before && cost(reach) is var found && (found < best || (found == best && choice < before)))
                    {
                        (best, better) = (found, better || found < best);
                    }
                    else
                    {
                        reach[site] = before;
                    }
                }
            }
        }

        return reach.Where(entry => entry.Value > 0).ToDictionary();
    }
}

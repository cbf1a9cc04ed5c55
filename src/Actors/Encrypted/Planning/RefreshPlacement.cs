namespace ActorTrainer.Actors.Encrypted.Planning;

/// <summary>
/// Where a program refreshes, by predicted time. A refresh by the owner is cheap, so programs ask for one wherever something would else be multiplied higher up than it has to be. A bootstrapping takes as long
/// as many operations high up: so a site may have levels to spare (<see cref="He.Refresh.IRefresher.Spare"/>), with which what comes after goes on until they are used up. This is a descent site by
/// site from as many as there are everywhere: along the way most sites need no refresh any more.
/// </summary>
internal static class RefreshPlacement
{
    /// <summary>Times that all sites are gone through; the second changes little.</summary>
    private const int Rounds = 2;

    /// <summary>Levels to spare that are tried, besides all.</summary>
    private static readonly int[] Choices = [0, 3, 6];

    /// <summary>Levels to spare by site, without those that have none.</summary>
    /// <param name="sites">In the order of the program.</param>
    /// <param name="most">Levels that a refresh can give beyond the lowest.</param>
    /// <param name="seconds">Predicted time with such levels to spare; infinite where the program cannot be run with them.</param>
    public static IReadOnlyDictionary<string, int> Find(IReadOnlyList<string> sites, int most, Func<IReadOnlyDictionary<string, int>, double> seconds)
    {
        var spare = sites.ToDictionary(site => site, _ => most);
        var best = seconds(spare);
        for (var (round, better) = (0, true); better && round < Rounds; round++)
        {
            better = false;
            foreach (var site in sites)
            {
                foreach (var choice in Choices.Append(most))
                {
                    var before = spare[site];
                    spare[site] = choice;
                    if (choice != before && seconds(spare) is var found && found < best)
                    {
                        (best, better) = (found, true);
                    }
                    else
                    {
                        spare[site] = before;
                    }
                }
            }
        }

        return best < seconds(new Dictionary<string, int>()) ? spare.Where(entry => entry.Value > 0).ToDictionary() : new Dictionary<string, int>();
    }
}

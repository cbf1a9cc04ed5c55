using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using Xunit;

namespace ActorTrainer.Tests.Refresh;

public sealed class RefreshBookTests
{
    private static readonly RefreshKey Key = new("r", 1, 5, Phase.Train, 2, "layers.0.norm1.variance", 0);

    private readonly RefreshBook _book = new();

    [Fact]
    public void A_key_is_answered_for_one_content_only_and_for_that_again_and_again()
    {
        Assert.Equal(RefreshDecision.Answer, Decide(Key, 1));
        Assert.Equal(RefreshDecision.AnswerAgain, Decide(Key, 1));
        Assert.Equal(RefreshDecision.Reject, Decide(Key, 2));
        Assert.Equal(RefreshDecision.AnswerAgain, Decide(Key, 1));
        Assert.Contains("other ciphertexts", _book.Decide(Key, Content(3)).Reason);
    }

    [Fact]
    public void Every_part_of_a_key_makes_another_request()
    {
        Decide(Key, 1);

        Assert.All(
            new[]
            {
                Key with { Ordinal = 1 },
                Key with { Site = "layers.1.norm1.variance" },
                Key with { MicroBatch = 3 },
                Key with { MicroBatch = -1 },
                Key with { Phase = Phase.Evaluate },
                Key with { Step = 6 },
                Key with { Attempt = 2 },
            },
            other => Assert.Equal(RefreshDecision.Answer, Decide(other, 2)));
    }

    [Fact]
    public void An_attempt_that_has_been_superseded_is_rejected_and_the_new_one_may_begin_at_an_earlier_step()
    {
        Decide(Key, 1);

        Assert.Equal(RefreshDecision.Answer, Decide(Key with { Attempt = 2, Step = 1 }, 1));
        Assert.Contains("attempt 2", _book.Decide(Key, Content(1)).Reason);
        Assert.Equal(RefreshDecision.Reject, Decide(Key with { Step = 6 }, 1));
    }

    [Fact]
    public void The_step_under_way_and_the_one_before_are_answered_and_older_ones_are_forgotten_and_rejected()
    {
        Decide(Key, 1);
        Decide(Key with { Step = 6 }, 1);
        Assert.Equal(RefreshDecision.AnswerAgain, Decide(Key, 1));
        Assert.Equal(RefreshDecision.Answer, Decide(Key with { Ordinal = 1 }, 1));

        Decide(Key with { Step = 7 }, 1);

        Assert.Equal(RefreshDecision.Reject, Decide(Key, 1));
        Assert.Equal(RefreshDecision.AnswerAgain, Decide(Key with { Step = 6 }, 1));
        Assert.Equal(2, _book.Count);
    }

    [Fact]
    public void Another_run_is_rejected_whether_the_run_was_given_or_was_the_first_to_ask()
    {
        Decide(Key, 1);

        Assert.Equal(RefreshDecision.Reject, Decide(Key with { Run = "other", Attempt = 9 }, 1));
        Assert.Contains("given", new RefreshBook("given").Decide(Key, Content(1)).Reason);
        Assert.Equal(RefreshDecision.Answer, new RefreshBook("r").Decide(Key, Content(1)).Decision);
    }

    [Fact]
    public void Sites_that_the_program_does_not_have_are_rejected()
    {
        var book = new RefreshBook(sites: new HashSet<string> { Key.Site });

        Assert.Equal(RefreshDecision.Answer, book.Decide(Key, Content(1)).Decision);
        Assert.Contains("site", book.Decide(Key with { Site = "layers.9.norm1.variance" }, Content(1)).Reason);
    }

    [Fact]
    public void A_rejected_request_changes_nothing()
    {
        Decide(Key, 1);

        Assert.All(
            new[] { Key with { Run = "x", Step = 90 }, Key with { Attempt = 0, Step = 90 }, Key with { Site = "no site", Step = 90 }, Key with { Step = 3 } },
            bad => Assert.Equal(RefreshDecision.Reject, Decide(bad, 1)));

        Assert.Equal(1, _book.Count);
        Assert.Equal(RefreshDecision.AnswerAgain, Decide(Key, 1));
    }

    [Fact]
    public void More_keys_than_a_program_has_are_rejected_and_the_next_steps_have_room_again()
    {
        var book = new RefreshBook(mostKeys: 10);
        Assert.All(Enumerable.Range(0, 10), i => Assert.Equal(RefreshDecision.Answer, book.Decide(Key with { Ordinal = i }, Content(1)).Decision));
        Assert.All(Enumerable.Range(10, 10), i => Assert.Equal(RefreshDecision.Reject, book.Decide(Key with { Ordinal = i }, Content(1)).Decision));

        Assert.Equal(RefreshDecision.Answer, book.Decide(Key with { Step = 7 }, Content(1)).Decision);
        Assert.Equal(1, book.Count);
    }

    [Fact]
    public void A_long_run_keeps_the_keys_of_two_steps()
    {
        for (var step = 1; step <= 500; step++)
        {
            for (var i = 0; i < 4; i++)
            {
                Assert.Equal(RefreshDecision.Answer, Decide(Key with { Step = step, Ordinal = i }, 1));
            }

            Assert.InRange(_book.Count, 4, 8);
        }
    }

    [Theory]
    [InlineData("", 1, 1, 0, "a", 0)]
    [InlineData("no run", 1, 1, 0, "a", 0)]
    [InlineData("r", -1, 1, 0, "a", 0)]
    [InlineData("r", 1, -1, 0, "a", 0)]
    [InlineData("r", 1, 1, -2, "a", 0)]
    [InlineData("r", 1, 1, 0, "", 0)]
    [InlineData("r", 1, 1, 0, null, 0)]
    [InlineData(null, 1, 1, 0, "a", 0)]
    [InlineData("r", 1, 1, 0, "a/../b", 0)]
    [InlineData("r", 1, 1, 0, "a\n", 0)]
    [InlineData("r", 1, 1, 0, "a", -1)]
    public void A_key_with_impossible_members_has_a_flaw(string? run, int attempt, long step, int microBatch, string? site, int ordinal)
    {
        Assert.NotNull(new RefreshKey(run!, attempt, step, Phase.Train, microBatch, site!, ordinal).Flaw());
        Assert.NotNull((Key with { Phase = (Phase)7 }).Flaw());
        Assert.NotNull((Key with { Site = new string('a', RefreshKey.MaxSite + 1) }).Flaw());
        Assert.Null((Key with { Site = new string('a', RefreshKey.MaxSite) }).Flaw());
    }

    private static byte[] Content(byte value) => [.. Enumerable.Repeat(value, 32)];

    private RefreshDecision Decide(RefreshKey key, byte content) => _book.Decide(key, Content(content)).Decision;
}

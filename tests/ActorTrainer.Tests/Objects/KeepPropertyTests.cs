using System.Security.Cryptography;
using ActorTrainer.Actors.Objects;
using ActorTrainer.Tests.Checkpoints;
using CsCheck;
using Xunit;

namespace ActorTrainer.Tests.Objects;

/// <summary>Whatever comes late, twice or at once: what belongs to the newest commit and to later saves stays, the rest goes in the end.</summary>
public sealed class KeepPropertyTests
{
    private const string Run = "r";

    /// <summary>Unit u's content at a step; every third one comes back to what it was two steps before, the hardest case for content that is stored once.</summary>
    private static byte[] Content(int unit, int step) => [(byte)unit, (byte)(unit % 3 == 0 ? step % 2 : step)];

    private static string HashOf(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static IEnumerable<string> Checkpoint(int step) => Enumerable.Range(0, 4).Select(unit => HashOf(Content(unit, step)));

    [Fact]
    public void In_any_order_of_saves_copies_and_late_keeps_no_needed_object_is_lost_and_none_is_left_over()
    {
        // (what, unit, how late): a save or copy of a unit for the step under way, a keep of the newest commit or an earlier one, a save
        // of a stage that has not heard of the latest steps, a restart.
        var actions = Gen.Select(Gen.Int[0, 10], Gen.Int[0, 3], Gen.Int[0, 3]).Array[10, 60];
        actions.Sample(
            run =>
            {
                using var folder = new TemporaryFolder();
                var store = new NodeStore(folder.Path);
                var (committed, saved) = (0, new HashSet<int>());
                foreach (var unit in Enumerable.Range(0, 4))
                {
                    Save(store, unit, 0);
                }

                foreach (var (what, unit, late) in run)
                {
                    switch (what)
                    {
                        case <= 3:
                            Save(store, unit, committed + 1);
                            saved.Add(unit);
                            break;
                        case <= 5:
                            Receive(store, unit, committed + 1);
                            saved.Add(unit);
                            break;
                        case <= 8:
                            var step = Math.Max(0, committed - late);
                            store.Keep(Run, step, Checkpoint(step));
                            break;
                        case 9:
                            Save(store, unit, Math.Max(0, committed - late));
                            break;
                        default:
                            store = new NodeStore(folder.Path);
                            break;
                    }

                    if (saved.Count == 4)
                    {
                        committed++;
                        saved.Clear();
                    }

                    var needed = Checkpoint(committed).Concat(saved.Select(u => HashOf(Content(u, committed + 1)))).Distinct().ToList();
                    Assert.Equal(needed, store.Holds(Run, needed));
                }

                store.Keep(Run, committed, Checkpoint(committed));
                var left = Checkpoint(committed).Concat(saved.Select(u => HashOf(Content(u, committed + 1))))
                    .Select(hash => store.PathOf(Run, hash)).Distinct().Order();
                Assert.Equal(left, Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Order());
            },
            iter: 25, threads: 1, seed: "0000KeepSeed0");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Threads_that_save_while_others_keep_lose_nothing(int stores)
    {
        using var folder = new TemporaryFolder();
        var opened = Enumerable.Range(0, stores).Select(_ => new NodeStore(folder.Path)).ToArray();
        for (var step = 1; step <= 20; step++)
        {
            var now = step;
            using var start = new Barrier(4);
            var threads = Enumerable.Range(0, 4).Select(i => new Thread(() =>
            {
                start.SignalAndWait();
                if (i < 3)
                {
                    // Some contents are those of two steps before: stored anew while their old files are being removed.
                    Save(opened[0], i, now);
                    Save(opened[0], 3, now);
                }
                else
                {
                    opened[^1].Keep(Run, now - 1, []);
                }
            })).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
            var needed = Checkpoint(now).Distinct().ToList();
            Assert.Equal(needed, opened[0].Holds(Run, needed));
        }

        opened[^1].Keep(Run, 20, Checkpoint(20));
        Assert.Equal(Checkpoint(20).Distinct().Count(), Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void Processes_that_start_while_another_saves_disturb_nothing()
    {
        using var folder = new TemporaryFolder();
        var store = new NodeStore(folder.Path);
        using var done = new CountdownEvent(3);
        List<Exception> failures = [];
        var savers = Enumerable.Range(0, 3).Select(unit => new Thread(() =>
        {
            try
            {
                for (var step = 0; step < 25; step++)
                {
                    Save(store, unit + 1, step);
                }
            }
            catch (Exception e)
            {
                lock (failures)
                {
                    failures.Add(e);
                }
            }

            done.Signal();
        })).ToList();
        savers.ForEach(thread => thread.Start());
        while (!done.IsSet)
        {
            _ = new NodeStore(folder.Path);
        }

        savers.ForEach(thread => thread.Join());
        Assert.Empty(failures);
        Assert.Equal(25 + 25 + 2, Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void A_save_in_the_middle_of_which_a_keep_comes_is_whole()
    {
        using var folder = new TemporaryFolder();
        var store = new NodeStore(folder.Path);
        var hash = store.Put(Run, 5, stream =>
        {
            stream.Write("first "u8);
            stream.Flush();
            store.Keep(Run, 4, []);
            stream.Write("second"u8);
        });
        Assert.Equal("first second", File.ReadAllText(store.Verified(Run, hash)));
    }

    private static void Save(NodeStore store, int unit, int step) => store.Put(Run, step, stream => stream.Write(Content(unit, step)));

    private static void Receive(NodeStore store, int unit, int step)
    {
        var content = Content(unit, step);
        store.Receive(Run, step, HashOf(content), content.Length, new MemoryStream(content));
    }
}

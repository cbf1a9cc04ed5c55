using ActorTrainer.Model.Checkpoints;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Processes;

/// <summary>Encrypted fine-tuning with owner, coordinator and stages as processes of their own.</summary>
[Collection(ProcessesCollection.Name)]
public class EncryptedClusterTests(ProgramFolder folder)
{
    private const int Steps = 4;

    /// <summary>Noise moves a trained tensor by far less than this part of its norm …</summary>
    private const double Bound = 1e-2;

    /// <summary>… and by this at most (two undisturbed runs differ by 1.6e-7), which is more than some adapters learn here.</summary>
    private const double Noise = 1e-6;

    private static readonly string[] Task =
    [
        "base_dir=runs", "eval=GLUE_lora", "eval.tasks=[sst2]", "eval.batch_size=16", "eval.pooler_rank=8", "eval.pooler_width=40", "eval.checkpoint_every=1",
    ];

    private static readonly string[] Toy = ["he=toy", "he.tokens=8", "he.allow_insecure=true", "he.threads=1", "he.keys=owner/keys", "he.data=shared"];

    [Fact]
    public void An_encrypted_fine_tuning_whose_stage_coordinator_and_owner_are_killed_learns_what_an_undisturbed_one_learns()
    {
        const string name = "encrypted";
        var calibration = Prepare(name);
        string[] training = [.. Task, .. Toy, $"eval.calibration={calibration}", "pipeline=two", $"steps={Steps}"];
        using (var here = folder.Start(["finetune-encrypted", "name=undisturbed-encrypted", $"eval.checkpoint={ModelOf(name)}", .. training]))
        {
            here.ShouldEndWith(0).ShouldSay($"{Steps} steps done");
        }

        using var nodes = new LocalNodes(folder, "cluster-encrypted");
        string[] there = ["finetune-encrypted", $"name={name}", nodes.Seeds, $"he.owner={nodes.FreeAddress}", .. training];
        foreach (var node in new[] { 0, 1, 2 })
        {
            nodes.Start(node);
        }

        using (var owner = folder.Start(there))
        {
            var playing = PlaysFirst(owner.WaitForLine(line => line.StartsWith("attempt 1 from step 0: n", StringComparison.Ordinal), "the first attempt"));
            owner.WaitForStep(1);
            nodes.Kill(playing);
            nodes.Start(playing);
            owner.WaitForLine(line => line.StartsWith("attempt 2: goes on", StringComparison.Ordinal), "an attempt after the loss of a stage");
            owner.WaitForStep(2);
            nodes.Kill(0);
            nodes.Start(0);
            owner.WaitForLine(line => line.StartsWith("attempt ", StringComparison.Ordinal) && line.Contains(": goes on", StringComparison.Ordinal) && !line.StartsWith("attempt 2", StringComparison.Ordinal), "an attempt of the new coordinator");
            owner.WaitForStep(3);
            owner.Kill();
        }

        WaitUntilTheRunWaits(nodes);
        using var again = folder.Start(there);
        again.ShouldEndWith(0).ShouldSay($"{Steps} steps done", "refreshes");
        ShouldAgree(Decrypt("undisturbed-encrypted", "here"), Decrypt(name, "there", $"model={ModelOf("../cluster-encrypted/n0/runs/encrypted-encrypted-sst2")}"));
        Assert.DoesNotContain(folder.Files("cluster-encrypted").Concat(folder.Files("shared")), file => Path.GetFileName(file) is "secret.key");
    }

    [Fact]
    public void An_encrypted_fine_tuning_on_a_cluster_needs_an_address_of_its_owner()
    {
        using var refused = folder.Start("finetune-encrypted", "name=none", "cluster=local");

        refused.ShouldEndWith(2).ShouldSay("he.owner is empty");
    }

    /// <summary>Model, ranges, keys and encrypted data.</summary>
    /// <returns>The calibration's file.</returns>
    private string Prepare(string name)
    {
        Done(folder.StartSmall(
            "pretrain", name, "arch.hidden=16", "arch.heads=2", "arch.feed_forward=32", "arch.sequence=8", "train.budget.amount=10", "train.evaluate_every=0"));
        Done(folder.Start(
            ["finetune", $"name={name}", "eval.label=clear", "eval.calibrate_every=1", "eval.train_rows=64", "eval.epochs=2", "data.cache=cache", "impl=dev", .. Task]));
        Done(folder.Start(["export", $"name={name}", "base_dir=runs", "eval.tasks=[sst2]", "eval.train_rows=64", "data.cache=cache"]));
        var calibration = Path.Combine(Directory.GetDirectories(folder.PathOf(name, "finetune", "clear", "sst2-1", "checkpoints")).Single(), "calibration.json");
        foreach (var command in new[] { "keygen", "encrypt" })
        {
            Done(folder.Start([command, $"name={name}", $"eval.calibration={calibration}", .. Task, .. Toy, .. command == "encrypt" ? ["rows=64"] : Array.Empty<string>()]));
        }

        return calibration;
    }

    private static void Done(ProgramProcess process)
    {
        using (process)
        {
            process.ShouldEndWith(0);
        }
    }

    private string ModelOf(string run) => CheckpointFolder.Latest(folder.PathOf(run))!;

    /// <summary>Number of the node that has the first stage: how many stages there are depends on how fast each node was when it started.</summary>
    private static int PlaysFirst(string attempt) => attempt[attempt.IndexOf(": n", StringComparison.Ordinal) + 3] - '0';

    /// <summary>Asks the cluster again and again: a run whose owner is away says so and goes on waiting.</summary>
    private void WaitUntilTheRunWaits(LocalNodes nodes)
    {
        string? seen = null;
        for (var asked = 0; asked < 40; asked++)
        {
            using var status = folder.Start("status", nodes.Seeds);
            seen = status.ShouldEndWith(0).Output;
            if (seen.Contains("for the data owner at", StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"No stage waits for the data owner:\n{seen}");
    }

    private string Decrypt(string name, string target, params string[] words)
    {
        var path = folder.PathOf("decrypted", target);
        Done(folder.Start(["decrypt", $"name={name}", $"out={path}", $"eval.checkpoint={ModelOf("encrypted")}", $"eval.calibration={Directory.GetFiles(folder.PathOf("encrypted", "finetune"), "calibration.json", SearchOption.AllDirectories).Single()}", .. Task, .. Toy, .. words]));
        return path;
    }

    private static void ShouldAgree(string expected, string found)
    {
        using var scope = NewDisposeScope();
        var (one, other) = (SafeTensorsHeader.Read(Path.Combine(expected, "adapter.safetensors")), SafeTensorsHeader.Read(Path.Combine(found, "adapter.safetensors")));
        Assert.True(one.Entries.Count > 12, $"{one.Entries.Count} tensors");
        foreach (var entry in one.Entries)
        {
            var tensor = SafeTensors.Load(one, entry.Name);
            var (size, error) = (tensor.norm().item<float>(), (SafeTensors.Load(other, entry.Name) - tensor).norm().item<float>());
            // Biases begin at zero: all of their norm is learned.
            var isLearned = entry.Name.EndsWith(".bias", StringComparison.Ordinal);
            Assert.True(!isLearned || size > 100 * Noise, $"{entry.Name}: learned nothing, norm {size:E2}");
            Assert.True(error <= (Bound * size) + (isLearned ? 0 : Noise), $"{entry.Name}: error {error:E2} of {size:E2}");
        }
    }
}

"""PPO in one file, in CleanRL's style: its curves and ours in one TensorBoard run, without Ray.

Needs `pip install torch`. Run it, then `tbtrace view` on the directory that it prints. What tbtrace
adds stands in the lines with `tbtrace`, `reporter` and `episodes`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from torch import nn

import tbtrace
from tbtrace.envs.plant import PlantEnv

ENVS, STEPS, EPOCHS, MINIBATCH = 4, 256, 4, 256
GAMMA, LAMBDA, CLIP, ENTROPY = 0.99, 0.95, 0.2, 0.01


def make() -> gym.Env[Any, Any]:
    return tbtrace.RecordTraces(PlantEnv({"steps": 200}))


class Agent(nn.Module):
    """A policy and a value function, with nothing in common."""

    def __init__(self, inputs: int, actions: int) -> None:
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, actions))
        self.critic = nn.Sequential(nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 1))

    def forward(self, seen: torch.Tensor) -> tuple[Any, torch.Tensor]:
        policy = torch.distributions.Categorical(logits=self.actor(seen))
        return policy, self.critic(seen).squeeze(-1)


def advantages(rewards: Any, values: Any, dones: Any) -> torch.Tensor:
    """Returns the generalised advantages (STEPS, ENVS); `values` has one row more."""
    result, later = torch.zeros_like(rewards), torch.zeros(ENVS)
    for t in reversed(range(STEPS)):
        going_on = 1.0 - dones[t]
        error = rewards[t] + GAMMA * going_on * values[t + 1] - values[t]
        later = error + GAMMA * LAMBDA * going_on * later
        result[t] = later
    return result


def main(iterations: int) -> None:
    torch.manual_seed(7)
    envs = gym.vector.SyncVectorEnv([make] * ENVS, autoreset_mode=AutoresetMode.SAME_STEP)
    inputs, actions = envs.single_observation_space.shape[0], int(envs.single_action_space.n)
    agent = Agent(inputs, actions)
    optimizer = torch.optim.Adam(agent.parameters(), lr=2.5e-3, eps=1e-5)
    reporter = tbtrace.RunReporter(tempfile.mkdtemp(prefix="cleanrl-"))
    writer = reporter.writer  # in place of torch.utils.tensorboard.SummaryWriter(...)
    episodes: list[tbtrace.Episode] = []
    global_step, began = 0, time.time()
    seen = torch.as_tensor(envs.reset(seed=7)[0])

    for _ in range(iterations):
        observations = torch.zeros(STEPS, ENVS, inputs)
        taken = torch.zeros(STEPS, ENVS, dtype=torch.long)
        logprobs, rewards, dones = torch.zeros(3, STEPS, ENVS)
        values = torch.zeros(STEPS + 1, ENVS)
        for t in range(STEPS):
            global_step += ENVS
            with torch.no_grad():
                policy, values[t] = agent(seen)
            observations[t], taken[t] = seen, policy.sample()
            logprobs[t] = policy.log_prob(taken[t])
            after, reward, ended, truncated, infos = envs.step(taken[t].numpy())
            rewards[t] = torch.as_tensor(reward)
            dones[t] = torch.as_tensor(np.logical_or(ended, truncated))
            seen = torch.as_tensor(after)
            episodes += tbtrace.collect(infos)
        with torch.no_grad():
            values[STEPS] = agent(seen)[1]
        reporter.report(global_step, {}, episodes)
        episodes = []

        gained = advantages(rewards, values, dones)
        flat = [each.flatten(0, 1) for each in (observations, taken, logprobs, gained)]
        targets = (gained + values[:-1]).flatten()
        for _ in range(EPOCHS):
            for some in torch.randperm(STEPS * ENVS).split(MINIBATCH):
                seen_then, did, logprob_then, gain = (each[some] for each in flat)
                policy, value = agent(seen_then)
                ratio = (policy.log_prob(did) - logprob_then).exp()
                gain = (gain - gain.mean()) / (gain.std() + 1e-8)
                clipped = ratio.clamp(1 - CLIP, 1 + CLIP)
                policy_loss = -torch.min(gain * ratio, gain * clipped).mean()
                value_loss = 0.5 * (value - targets[some]).square().mean()
                entropy = policy.entropy().mean()
                optimizer.zero_grad()
                (policy_loss + value_loss - ENTROPY * entropy).backward()
                nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
                optimizer.step()

        writer.add_scalar("losses/value_loss", value_loss.item(), global_step)
        writer.add_scalar("losses/policy_loss", policy_loss.item(), global_step)
        writer.add_scalar("losses/entropy", entropy.item(), global_step)
        writer.add_scalar("charts/SPS", int(global_step / (time.time() - began)), global_step)

    envs.close()
    reporter.close()
    print(f"Look at it: tbtrace view {reporter.path.parent}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)

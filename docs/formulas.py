"""The formula of each part in LaTeX, for the handout.

GitHub typesets LaTeX; for the HTML page it is converted to MathML. A formula here has
the symbols of the equation in the part's docstring, in the same order; a test compares.
"""

import re

from latex2mathml.converter import convert

FORMULAS = {
    "update_Q_TD0": (
        r"\eta_t = Q(s_t, a_t)"
        r" - \bigl( r_t + \neg d_t\, \gamma \max_a Q({s'}_t, a) \bigr)",
        r"Q(s_t, a_t) \leftarrow Q(s_t, a_t) - \alpha\, \eta_t",
    ),
    "discounted_returns": (r"G_i = \sum_{t \ge i} \gamma^{t - i}\, r_t",),
    "mc_loss": (
        r"L(\theta_Q) = \frac{1}{T} \sum_i \bigl( Q(s_i, a_i, \theta_Q) - G_i \bigr)^2",
    ),
    "q_network": (r"Q\, :\, S \rightarrow \mathbb{R}^{|A|}",),
    "epsilon_greedy": (
        r"a = \begin{cases}"
        r" \mathrm{argmax}_i\, Q(s)_i"
        r" & \text{with probability } 1 - \varepsilon, \\"
        r" \text{any} & \text{with probability } \varepsilon \end{cases}",
    ),
    "ReplayBuffer": (
        r"B_t = \{ (s_i, a_i, r_i, d_i, {s'}_i)\, :\, t - \text{capacity} < i \le t \}",
    ),
    "td_loss": (
        r"L(\theta_Q) = \frac{1}{B} \sum_i \bigl( Q(s_i, a_i, \theta_Q) - y_i \bigr)^2",
        r"y_i = r_i + \neg d_i\, \gamma \max_a Q({s'}_i, a, \theta_T)",
    ),
    "td_update": (r"\theta_Q \leftarrow \theta_Q - \alpha\, \nabla L(\theta_Q)",),
    "sync_target": (
        r"\theta_T \leftarrow \begin{cases}"
        r" \theta_Q & \text{if step is a multiple of period,} \\"
        r" \theta_T & \text{otherwise} \end{cases}",
    ),
}


def mathml(latex: str) -> str:
    """Return a formula as the MathML of an HTML page, which needs no namespace."""
    text = re.sub(r' xmlns="[^"]*"', "", convert(latex, display="block"))
    # Many fonts have a small raised ′; raised once more, it can hardly be seen.
    prime = r"<msup>(<mi>\w</mi>)<mi>&#x02032;</mi></msup>"
    return re.sub(prime, r'\1<mo lspace="0" rspace="0">&#x02032;</mo>', text)
